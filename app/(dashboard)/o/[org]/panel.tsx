import { type ReactNode, Suspense } from "react";
import { buttonClasses } from "@/components/ui/button";
import { AppError } from "@/lib/errors";
import { currentRequest } from "@/lib/http/request-context";
import { log } from "@/lib/log";

interface PanelProps {
  title: string;
  /** What the numbers are about. */
  note?: string;
  /** This page's address, for another try. */
  here: string;
  read(): Promise<ReactNode>;
}

/** A part of a page that is read, waits and fails on its own. */
export function Panel(props: PanelProps) {
  return (
    <section aria-label={props.title} className="min-w-0">
      <h2 className="mb-2 text-[14px] font-semibold tracking-[-0.012em]">
        {props.title} <span className="text-[12px] font-normal text-(--text-2)">{props.note}</span>
      </h2>
      <Suspense fallback={<p className="text-(--text-3)">Loading…</p>}>
        <Body {...props} />
      </Suspense>
    </section>
  );
}

async function Body({ title, here, read }: PanelProps) {
  try {
    return await read();
  } catch (error) {
    const requestId = currentRequest()?.requestId ?? "";
    if (!(error instanceof AppError)) log().error({ err: error }, "a part of a page failed");
    const cause = error instanceof AppError ? error.message : "Something failed here.";
    return (
      <div role="alert" className="text-(--in-fetch)">
        <p className="mb-2">
          Could not load {title.toLowerCase()}. {cause} Request {requestId}.
        </p>
        <a href={here} className={buttonClasses({})}>
          Retry
        </a>
      </div>
    );
  }
}
