"use client";

import { useRouter } from "next/navigation";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { ActionResult } from "@/lib/http/action-result";
import type { SavedStream, TestResult } from "@/lib/streams/schema";
import { createInputOf, type Draft, emptyDraft, testInputOf } from "./draft";
import { DraftFields } from "./draft-fields";
import { Choices } from "./field";
import { useDraft } from "./form-state";
import { SecretOnce } from "./secret-once";
import { TestReport } from "./test-report";
import { DESTINATIONS } from "./words";

const START_POINTS = [
  { id: "start", label: "Everything", about: "From the first event of the log on, then live." },
  { id: "now", label: "From now on", about: "Only events that are recorded from now on." },
] as const;

interface Props {
  organizationId: string;
  test(organizationId: string, input: unknown): Promise<ActionResult<TestResult>>;
  create(organizationId: string, input: unknown): Promise<ActionResult<SavedStream>>;
}

/** Destination, credentials, test, start point; delivery begins when it is saved. */
export function NewStream({ organizationId, test, create }: Props) {
  const router = useRouter();
  const { draft, change, errors, problem, isBusy, run } = useDraft(emptyDraft);
  const [result, setResult] = useState<TestResult | null>(null);
  const [skipsTest, setSkipsTest] = useState(false);
  const [secret, setSecret] = useState<{ id: string; value: string } | null>(null);
  const list = `/o/${organizationId}/integrity/streams`;

  const edit = (part: Partial<Draft>) => {
    change(part);
    // A pass says nothing about another destination or address.
    if (!("name" in part) && !("from" in part)) setResult(null);
  };
  const sendTest = () => run(() => test(organizationId, testInputOf(draft)), setResult);
  const save = () =>
    run(
      () => create(organizationId, createInputOf(draft)),
      ({ stream, generatedSecrets }) => {
        const value = generatedSecrets.signing_secret;
        if (value) setSecret({ id: stream.id, value });
        else router.push(`${list}/${stream.id}`);
      },
    );

  if (secret) {
    return (
      <div className="max-w-[680px]">
        <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
          The stream delivers
        </h1>
        <p className="mt-1 mb-5 text-(--text-2)">
          Each request is signed. The receiver checks the signature with this secret.
        </p>
        <SecretOnce secret={secret.value} />
        <Button
          variant="primary"
          className="mt-5"
          onClick={() => router.push(`${list}/${secret.id}`)}
        >
          Open the stream
        </Button>
      </div>
    );
  }

  const mayStart = result?.ok || skipsTest;
  const steps = (
    <div className="grid gap-2">
      {problem && (
        <p role="alert" className="text-(--in-failed)">
          {problem}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {mayStart && (
          <Button type="submit" variant="primary" disabled={isBusy}>
            {isBusy ? "Working…" : "Start delivery"}
          </Button>
        )}
        <Button
          type={mayStart ? "button" : "submit"}
          variant={mayStart ? "secondary" : "primary"}
          onClick={mayStart ? sendTest : undefined}
          disabled={isBusy}
        >
          {result ? "Send again" : "Send a test event"}
        </Button>
        {!mayStart && (
          <Button variant="quiet" onClick={() => setSkipsTest(true)} disabled={isBusy}>
            Continue without a pass
          </Button>
        )}
      </div>
      {skipsTest && !result?.ok && (
        <p className="text-[12px] text-(--text-2)">
          Without a pass the stream may fail at once. Nothing is lost: events wait until it works.
        </p>
      )}
    </div>
  );
  return (
    <form
      className="grid max-w-[1080px] gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        if (mayStart) save();
        else sendTest();
      }}
    >
      <div className="grid max-w-[680px] gap-5">
        <h1 className="text-[16px] leading-6 font-semibold tracking-[-0.012em]">New stream</h1>
        <Choices
          legend="Destination"
          name="destination"
          value={draft.destination}
          options={DESTINATIONS}
          onChange={(destination) => edit({ destination })}
        />
        <DraftFields draft={draft} errors={errors} stored={{}} onChange={edit} />
        <Choices
          legend="Start point"
          name="from"
          value={draft.from}
          options={START_POINTS}
          onChange={(from) => edit({ from })}
        />
        {!result && steps}
      </div>
      {result && <TestReport result={result}>{steps}</TestReport>}
    </form>
  );
}
