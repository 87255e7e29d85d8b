"use client";

import { Check, X } from "lucide-react";
import type { ReactNode } from "react";
import type { TestResult, TestStep } from "@/lib/streams/schema";
import { formatMoment, stepName } from "./words";

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** In one line: "It answered 200 in 34 ms." */
function outcomeWords({ problem, status, latencyMs }: TestResult): string {
  if (problem) return problem.message;
  return `It ${status === null ? "took it" : `answered ${status}`} in ${latencyMs} ms.`;
}

/** What one test event met on its way, step by step; `children` are what to do next. */
export function TestReport(props: {
  result: TestResult;
  /** Tests before this one, newest first. */
  earlier?: TestResult[];
  children?: ReactNode;
}) {
  const { result, earlier = [], children } = props;
  const { problem, steps } = result;
  return (
    <section data-testid="test-report" aria-label="Test send">
      <div role="status">
        <h2
          className={`text-[16px] leading-6 font-semibold tracking-[-0.012em] ${result.ok ? "" : "text-(--in-failed)"}`}
        >
          {result.ok ? "The receiver took the test event" : "The test event was not taken"}
        </h2>
        <p className="mt-0.5 max-w-[78ch] text-(--text-2)">
          {outcomeWords(result)} {problem?.advice}
        </p>
      </div>
      {children && <div className="mt-3.5 mb-5">{children}</div>}
      <Steps steps={steps} at={result.at} />
      <div className="mt-5 grid grid-cols-2 gap-6 max-lg:grid-cols-1">
        <Block title="Sent" note="marked as a test, outside the chain" text={pretty(result.sent)} />
        <div className="min-w-0">
          <Block
            title="Received"
            note="first 1 KB"
            text={
              result.status === null
                ? (result.reply ?? "No answer.")
                : `HTTP ${result.status}${result.reply ? `\n\n${pretty(result.reply)}` : ""}`
            }
          />
          {earlier.length > 0 && <Earlier results={earlier} />}
        </div>
      </div>
    </section>
  );
}

function Steps({ steps, at }: { steps: TestStep[]; at: string }) {
  const totalMs = Math.max(
    1,
    steps.reduce((sum, step) => sum + step.durationMs, 0),
  );
  let startMs = 0;
  return (
    <table className="mt-3 w-full table-fixed border-separate border-spacing-0">
      <caption className="sr-only">Steps of the test: name, what was reached, time</caption>
      <colgroup>
        <col className="w-[104px]" />
        <col />
        <col className="w-[240px] max-lg:hidden" />
        <col className="w-[64px]" />
      </colgroup>
      <thead className="text-[12px] text-(--text-3)">
        <tr className="[&>th]:h-7 [&>th]:border-b [&>th]:border-(--border) [&>th]:text-left [&>th]:font-normal">
          <th colSpan={2}>Sent {formatMoment(at)}</th>
          <th className="max-lg:hidden">Time</th>
          <th className="!text-right">ms</th>
        </tr>
      </thead>
      <tbody>
        {steps.map((step) => {
          const left = (startMs / totalMs) * 100;
          startMs += step.durationMs;
          const Icon = step.ok ? Check : X;
          return (
            <tr key={step.name} className="[&>td]:h-8 [&>td]:border-b [&>td]:border-(--border)">
              <td>
                <span className="flex items-center gap-2">
                  <Icon
                    aria-label={step.ok ? "passed" : "failed"}
                    className={`size-3.5 ${step.ok ? "text-(--st-active)" : "text-(--st-failing)"}`}
                  />
                  {stepName(step.name)}
                </span>
              </td>
              <td className="truncate pr-3 text-(--text-2)">{step.detail}</td>
              <td className="max-lg:hidden">
                <span className="relative block h-2.5 bg-(--sunken)">
                  <span
                    className={`absolute inset-y-0 min-w-0.5 ${step.ok ? "bg-(--ch-1)" : "bg-(--ch-3)"}`}
                    style={{ left: `${left}%`, width: `${(step.durationMs / totalMs) * 100}%` }}
                  />
                </span>
              </td>
              <td className="text-right font-mono text-[12px] tabular-nums">
                {step.durationMs}
                <span className="sr-only"> milliseconds</span>
              </td>
            </tr>
          );
        })}
        {steps.length === 0 && (
          <tr>
            <td colSpan={4} className="h-8 border-b border-(--border) text-(--text-2)">
              Nothing left this server.
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Earlier({ results }: { results: TestResult[] }) {
  return (
    <>
      <h3 className="mt-4 text-[14px] font-semibold tracking-[-0.012em]">Earlier</h3>
      <ul className="mt-1">
        {results.map((result) => (
          <li key={result.at} className="flex gap-2.5 border-b border-(--border) py-1.5">
            <span className="shrink-0 font-mono text-[12px] text-(--text-2)">
              {result.at.slice(11, 19)}
            </span>
            <span className={result.ok ? "text-(--text-2)" : "text-(--in-failed)"}>
              {outcomeWords(result)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Block({ title, note, text }: { title: string; note: string; text: string }) {
  return (
    <div className="min-w-0">
      <h3 className="text-[14px] font-semibold tracking-[-0.012em]">
        {title} <span className="text-[12px] font-normal text-(--text-3)">{note}</span>
      </h3>
      <pre className="mt-2 rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] leading-[18px] break-words whitespace-pre-wrap">
        {text}
      </pre>
    </div>
  );
}
