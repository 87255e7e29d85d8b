import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";

/** Cause, consequence, next step. */
export function ErrorPanel(props: {
  title: string;
  children?: ReactNode;
  requestId?: string;
  action?: ReactNode;
}) {
  return (
    <div
      role="alert"
      className="mx-auto grid max-w-[60ch] justify-items-center gap-2 px-4 py-16 text-center"
    >
      <CircleAlert size={20} className="text-(--in-fetch)" aria-hidden="true" />
      <h2 className="text-[14px] font-semibold">{props.title}</h2>
      {props.children && <p className="text-(--text-2)">{props.children}</p>}
      {props.requestId && (
        <p className="font-mono text-[12px] text-(--text-3)">Request {props.requestId}</p>
      )}
      {props.action && <div className="mt-2">{props.action}</div>}
    </div>
  );
}
