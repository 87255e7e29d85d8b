import { type ReactNode, Suspense } from "react";
import { buttonClasses } from "@/components/ui/button";
import { AppError } from "@/lib/errors";
import { currentRequest } from "@/lib/http/request-context";

interface PanelProps {
  title: string;
  /** What it shows needs no heading above it. */
  isTitleHidden?: boolean;
  /** What the numbers are about. */
  note?: string;
  /** This page's address, for another try. */
  here: string;
  className?: string;
  read(): Promise<ReactNode>;
}

/** A part of a page that is read, waits and fails on its own. */
export function Panel(props: PanelProps) {
  return (
    <section aria-label={props.title} className={`min-w-0 ${props.className ?? ""}`}>
      <h2
        className={
          props.isTitleHidden
            ? "sr-only"
            : "mb-2 flex flex-wrap items-baseline gap-x-2 text-[14px] font-semibold tracking-[-0.012em]"
        }
      >
        {props.title}
        {props.note && (
          <span className="text-[12px] font-normal text-(--text-2)">{props.note}</span>
        )}
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
    if (!(error instanceof AppError)) console.error(`[trailseal] ${requestId}`, error);
    return (
      <div role="alert" className="grid justify-items-start gap-2">
        <p className="text-(--in-fetch)">
          Could not load {title.toLowerCase()}.{" "}
          {error instanceof AppError ? error.message : "Something failed here."}
        </p>
        <p className="font-mono text-[12px] text-(--text-3)">Request {requestId}</p>
        <a href={here} className={buttonClasses({})}>
          Retry
        </a>
      </div>
    );
  }
}
