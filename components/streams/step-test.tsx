"use client";

import { Button } from "@/components/ui/button";
import type { TestResult } from "@/lib/streams/schema";
import { TestReport } from "./test-report";

/** One labelled event, sent as the stream will send: what happened on its way, and what to do about it. */
export function StepTest(props: {
  /** Newest first. */
  results: TestResult[];
  /** The newest was taken, by what is entered now. */
  isPassed: boolean;
  /** Something was changed since. */
  isStale: boolean;
  isBusy: boolean;
  onSend(): void;
  onChangeCredentials(): void;
  onContinue(): void;
}) {
  const { results, isPassed, isBusy } = props;
  const [result, ...earlier] = results;
  const buttons = (
    <div className="flex flex-wrap items-center gap-2">
      {isPassed && (
        <Button variant="primary" onClick={props.onContinue}>
          Continue
        </Button>
      )}
      <Button variant={isPassed ? "secondary" : "primary"} disabled={isBusy} onClick={props.onSend}>
        {isBusy ? "Sending…" : result ? "Send again" : "Send a test event"}
      </Button>
      {!isPassed && (
        <>
          <Button onClick={props.onChangeCredentials}>Change credentials</Button>
          <Button
            variant="quiet"
            className="ml-auto max-sm:ml-0"
            disabled={isBusy}
            onClick={props.onContinue}
          >
            Continue without a pass
          </Button>
        </>
      )}
    </div>
  );
  if (!result)
    return (
      <div className="grid gap-4">
        <p className="max-w-[78ch] text-(--text-2)">
          One event marked as a test goes to the receiver. It is not part of the log. You see every
          step on its way and what was answered.
        </p>
        {buttons}
      </div>
    );
  return (
    <TestReport result={result} earlier={earlier}>
      {props.isStale && (
        <p className="mb-3 text-(--in-fetch)">
          What you entered has changed since this test. Send another one.
        </p>
      )}
      {buttons}
    </TestReport>
  );
}
