"use client";

import dynamic from "next/dynamic";
import Link from "next/link";
import { useSearchParams } from "next/navigation";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";
import { TabList } from "@/components/ui/tabs";
import type { ActionResult } from "@/lib/http/action-result";
import type { DestinationForm } from "@/lib/streams/registry";
import type {
  DeadLetter,
  SavedStream,
  StreamAttempt,
  StreamLane,
  StreamSummary,
  StreamView,
  TestResult,
} from "@/lib/streams/schema";
import type { RangeEstimate } from "@/lib/streams/work-schema";
import { StreamStateMark } from "./state-mark";
import { StreamHealth } from "./stream-health";
import { useFresh } from "./use-fresh";
import { useWork } from "./use-work";

type Action<Input, T> = (organizationId: string, input: Input) => Promise<ActionResult<T>>;

interface StreamActions {
  read: Action<string, StreamView>;
  test: Action<string, TestResult>;
  pause: Action<string, StreamSummary>;
  resume: Action<string, StreamSummary>;
  remove: Action<string, null>;
  update: Action<unknown, SavedStream>;
  rotateSecret: Action<unknown, SavedStream>;
  listAttempts: Action<unknown, StreamAttempt[]>;
  listDeadLetters: Action<string, DeadLetter[]>;
  redrive: Action<unknown, StreamLane>;
  discard: Action<unknown, number>;
  readLanes: Action<string, StreamLane[]>;
  startBackfill: Action<unknown, StreamLane>;
  cancelLane: Action<unknown, StreamLane>;
  estimate: Action<unknown, RangeEstimate>;
  moveCursor: Action<unknown, StreamSummary>;
}

/** What every part of the page works with. */
export interface StreamPart {
  organizationId: string;
  stream: StreamSummary;
  actions: StreamActions;
  /** The stream was changed: it is read again. */
  onChanged(): void;
}

const loading = () => <div className="h-40 animate-pulse rounded-[5px] bg-(--sunken)" />;
const TestReport = dynamic(() => import("./test-report").then((part) => part.TestReport), {
  loading,
});
const Attempts = dynamic(() => import("./attempts").then((part) => part.Attempts), { loading });
const SetAside = dynamic(() => import("./set-aside").then((part) => part.SetAside), { loading });
const Jobs = dynamic(() => import("./jobs").then((part) => part.Jobs), { loading });
const Settings = dynamic(() => import("./stream-settings").then((part) => part.StreamSettings), {
  loading,
});

const TABS = ["health", "attempts", "set-aside", "jobs", "settings"] as const;
type Tab = (typeof TABS)[number];

interface Props {
  organizationId: string;
  view: StreamView;
  form: DestinationForm;
  actions: StreamActions;
  /** Parts that only some destinations have. */
  children?: ReactNode;
}

/** One stream: what it does now, what was tried, what to do about it. The address names the tab. */
export function StreamDetail(props: Props) {
  const { organizationId, actions } = props;
  const { id } = props.view.stream;
  const fresh = useFresh(props.view, () => actions.read(organizationId, id));
  const { stream, halfHours } = fresh.data;
  const { run, problem, isBusy } = useWork();
  const [result, setResult] = useState<TestResult | null>(null);
  const asked = useSearchParams().get("tab") as Tab;
  const tab = TABS.includes(asked) ? asked : "health";
  const reread = () => void fresh.refresh();
  const part: StreamPart = { organizationId, stream, actions, onChanged: reread };
  const go = (next: Tab) => history.pushState(null, "", `?tab=${next}`);
  const isStopped = stream.state === "paused" || stream.state === "disabled";
  return (
    <div className="max-w-[1080px]">
      <p className="mb-3 text-[12px]">
        <Link
          href={`/o/${organizationId}/integrity/streams`}
          className="text-(--text-2) underline decoration-(--border-control) underline-offset-[3px] max-sm:inline-block max-sm:py-2"
        >
          All streams
        </Link>
      </p>
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <h1 className="flex flex-wrap items-center gap-x-3 text-[16px] leading-6 font-semibold tracking-[-0.012em]">
            <span className="min-w-0 break-words">{stream.name}</span>
            <span className="text-[13px]">
              <StreamStateMark state={stream.state} />
            </span>
          </h1>
          <p className="truncate text-(--text-2)">
            {stream.destinationLabel}, {stream.description}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button
            disabled={isBusy}
            onClick={() => run(() => actions.test(organizationId, id), setResult)}
          >
            Send a test event
          </Button>
          {!isStopped && (
            <Button
              disabled={isBusy}
              onClick={() => run(() => actions.pause(organizationId, id), reread)}
            >
              Pause
            </Button>
          )}
          {(isStopped || stream.failures > 0) && (
            <Button
              variant="primary"
              disabled={isBusy}
              onClick={() => run(() => actions.resume(organizationId, id), reread)}
            >
              {isStopped ? "Resume" : "Try now"}
            </Button>
          )}
        </div>
      </div>
      {(problem ?? fresh.problem) && (
        <p role="alert" className="mt-3 text-(--in-fetch)">
          {problem ?? fresh.problem}
        </p>
      )}
      {result && (
        <div className="mt-5 border-y border-(--border) py-4">
          <TestReport result={result}>
            <Button onClick={() => setResult(null)}>Close the report</Button>
          </TestReport>
        </div>
      )}
      <TabList
        label="Parts of the stream"
        panel="stream-panel"
        className="mt-4"
        current={tab}
        onChange={go}
        tabs={[
          { id: "health", label: "Health" },
          { id: "attempts", label: "Attempts" },
          {
            ...{ id: "set-aside", label: "Set aside" },
            ...(stream.deadLetters > 0 ? { count: stream.deadLetters } : {}),
          },
          { id: "jobs", label: "Backfills" },
          { id: "settings", label: "Settings" },
        ]}
      />
      <div id="stream-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} className="pt-4">
        {tab === "health" && (
          <>
            <StreamHealth {...part} halfHours={halfHours} />
            {props.children}
          </>
        )}
        {tab === "attempts" && <Attempts {...part} />}
        {tab === "set-aside" && <SetAside {...part} />}
        {tab === "jobs" && <Jobs {...part} />}
        {tab === "settings" && <Settings {...part} form={props.form} />}
      </div>
    </div>
  );
}
