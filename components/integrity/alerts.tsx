import { formatMoment } from "./words";

interface AlertWay {
  channel: "email" | "webhook";
  last: { title: string; createdAt: string; sentAt: string | null; error: string | null } | null;
}

const NAME: Record<AlertWay["channel"], string> = { email: "E-mail", webhook: "Webhook" };

function words({ last }: AlertWay): { text: string; isFailing: boolean } {
  if (!last) return { text: "Nothing to tell so far.", isFailing: false };
  if (last.sentAt)
    return { text: `Sent ${formatMoment(last.sentAt)}: ${last.title}`, isFailing: false };
  return {
    text: `Not sent yet: ${last.title}${last.error ? ` (${last.error})` : ""}`,
    isFailing: last.error !== null,
  };
}

/** Where alerts of this log go, and how the last one fared. */
export function Alerts(props: { states: AlertWay[] }) {
  if (props.states.length === 0)
    return (
      <p className="max-w-[98ch] text-(--text-2)">
        A break shows as a banner on every page. For a word outside of it, whoever runs the server
        sets TRAILSEAL_SMTP_URL and TRAILSEAL_ALERT_EMAIL, or TRAILSEAL_ALERT_WEBHOOK.
      </p>
    );
  return (
    <dl className="border-t border-(--border)">
      {props.states.map((state) => {
        const { text, isFailing } = words(state);
        return (
          <div
            key={state.channel}
            className="grid grid-cols-[96px_minmax(0,1fr)] gap-3 border-b border-(--border) py-2"
          >
            <dt>{NAME[state.channel]}</dt>
            <dd className={`break-words ${isFailing ? "text-(--in-failed)" : "text-(--text-2)"}`}>
              {text}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
