import { TriangleAlert } from "lucide-react";
import Link from "next/link";
import { Suspense } from "react";
import type { Scope } from "@/lib/auth/scope";
import { log } from "@/lib/log";
import type { StreamAlarm as Alarm } from "@/lib/streams/schema";
import { readStreamAlarms } from "@/lib/streams/server/alarms";

/** Says on every page that a stream needs somebody; the page waits for nothing. */
export function StreamAlarm(props: { scope: Scope }) {
  return (
    <Suspense>
      <Banner {...props} />
    </Suspense>
  );
}

const KINDS: Record<Alarm["kind"], string> = {
  failing: "fails",
  disabled: "is switched off",
  lagging: "lags",
  retention: "lags",
};

/** Of one stream what is the matter; of several which they are. */
function sentence(alarms: Alarm[]): string {
  const streams = new Map(alarms.map((alarm) => [alarm.streamId, alarm]));
  const [first] = alarms;
  if (first && streams.size === 1)
    return `The stream ${first.name} ${KINDS[first.kind]}: ${alarms.map(({ message }) => message).join(" ")}`;
  const names = [...streams.values()].map(({ name, kind }) => `${name} ${KINDS[kind]}`);
  return `${streams.size} streams need you: ${names.slice(0, 3).join(", ")}${names.length > 3 ? " and more" : ""}.`;
}

async function Banner({ scope }: { scope: Scope }) {
  const streams = `/o/${scope.organizationId}/integrity/streams`;
  let alarms: Alarm[] = [];
  let words = "";
  try {
    alarms = await readStreamAlarms(scope);
    if (alarms.length === 0) return null;
    words = sentence(alarms);
  } catch (error) {
    log().error({ err: error }, "the state of the streams could not be read");
    words = "Whether the streams deliver could not be read.";
  }
  // A stream's own page is for those who manage it.
  const isOne =
    scope.permissions.has("streams:manage") &&
    new Set(alarms.map(({ streamId }) => streamId)).size === 1;
  return (
    <div
      role="status"
      data-testid="stream-alarm"
      className="flex shrink-0 gap-2 border-b border-(--in-fetch-line) bg-(--in-fetch-tint) px-4 py-2 text-(--in-fetch)"
    >
      <TriangleAlert size={16} aria-hidden="true" className="mt-0.5 shrink-0" />
      <p className="max-w-[110ch]">
        {words}{" "}
        <Link
          href={isOne ? `${streams}/${alarms[0]?.streamId}` : streams}
          className="font-medium underline underline-offset-2 max-sm:inline-block max-sm:py-2"
        >
          What to do
        </Link>
      </p>
    </div>
  );
}
