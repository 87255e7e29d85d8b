"use client";

import { Check, X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { TestResult, TestStep } from "@/lib/streams/schema";
import { formatMoment, stepName } from "./words";

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** What one test event met on its way, step by step; `children` are what to do next. */
export function TestReport({ result, children }: { result: TestResult; children?: ReactNode }) {
  const { problem, steps } = result;
  const section = useRef<HTMLElement>(null);
  // The report stands below the form: bring each new one into sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new result is the reason.
  useEffect(() => {
    section.current?.scrollIntoView({ block: "nearest" });
  }, [result]);
  return (
    <section ref={section} aria-live="polite" data-testid="test-report">
      <h2
        className={`text-[22px] leading-7 font-semibold tracking-[-0.02em] ${result.ok ? "" : "text-(--in-failed)"}`}
      >
        {result.ok ? "The receiver took the test event" : "The test event was not taken"}
      </h2>
      <p className="mt-1 max-w-[78ch] text-(--text-2)">
        {problem
          ? `${problem.message} ${problem.advice}`
          : `It answered ${result.status} in ${result.latencyMs} ms.`}
      </p>
      {children && <div className="mt-3.5 mb-5">{children}</div>}
      <p className="mt-3 text-[12px] text-(--text-3)">Sent {formatMoment(result.at)}</p>
      {steps.length > 0 && <Steps steps={steps} />}
      <div className="mt-5 grid grid-cols-2 gap-6 max-lg:grid-cols-1">
        <Block title="Sent" note="marked as a test, outside the chain" text={pretty(result.sent)} />
        <Block
          title="Received"
          note="first 500 characters"
          text={
            result.status === null
              ? "No answer."
              : `HTTP ${result.status}${result.reply ? `\n\n${pretty(result.reply)}` : ""}`
          }
        />
      </div>
    </section>
  );
}

function Steps({ steps }: { steps: TestStep[] }) {
  const totalMs = Math.max(
    1,
    steps.reduce((sum, step) => sum + step.durationMs, 0),
  );
  let startMs = 0;
  return (
    <table className="mt-1 w-full table-fixed border-separate border-spacing-0">
      <caption className="sr-only">Steps: name, what was reached, time</caption>
      <colgroup>
        <col className="w-[110px]" />
        <col />
        <col className="w-[240px] max-sm:hidden" />
        <col className="w-[64px]" />
      </colgroup>
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
              <td className="max-sm:hidden">
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
      </tbody>
    </table>
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
