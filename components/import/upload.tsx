"use client";

import { FileUp } from "lucide-react";
import { useRouter } from "next/navigation";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { formatBytes, formatSpan } from "@/components/exports/words";
import { Button } from "@/components/ui/button";
import { Progress } from "@/components/ui/progress";

interface Sending {
  file: File;
  sent: number;
  startedMs: number;
}

/** Picks or drops a file, and sends it with its progress; what comes next is setting it up. */
export function Upload(props: { organizationId: string; maxBytes: number }) {
  const { organizationId, maxBytes } = props;
  const router = useRouter();
  const request = useRef<XMLHttpRequest | null>(null);
  const [sending, setSending] = useState<Sending | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);

  useEffect(() => () => request.current?.abort(), []);

  const fail = (message: string) => {
    setSending(null);
    setProblem(message);
  };

  const send = (file: File | undefined) => {
    if (!file || request.current) return;
    setProblem(null);
    if (file.size === 0) return fail(`${file.name} is empty: there is nothing to import.`);
    if (file.size > maxBytes)
      return fail(
        `${file.name} has ${formatBytes(file.size)}; this server takes at most ${formatBytes(maxBytes)}. Pack it with gzip, split it, use the command line, or have TRAILSEAL_IMPORT_MAX_BYTES raised.`,
      );
    const sender = new XMLHttpRequest();
    request.current = sender;
    setSending({ file, sent: 0, startedMs: performance.now() });
    sender.upload.onprogress = ({ loaded }) =>
      setSending((before) => before && { ...before, sent: loaded });
    sender.onload = () => {
      request.current = null;
      const answer = answerOf(sender);
      if (sender.status === 201 && answer.id)
        return router.push(`/o/${organizationId}/import/${answer.id}`);
      fail(answer.message ?? `The server answered ${sender.status}.`);
    };
    sender.onerror = () => {
      request.current = null;
      fail("The upload broke off. Check the connection and choose the file again.");
    };
    sender.onabort = () => {
      request.current = null;
      setSending(null);
    };
    sender.open("POST", `/o/${organizationId}/import/upload?name=${encodeURIComponent(file.name)}`);
    sender.setRequestHeader("Content-Type", "application/octet-stream");
    sender.send(file);
  };

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    send(event.dataTransfer.files[0]);
  };

  return (
    <section aria-label="New import" className="mb-8 max-w-[880px]">
      {sending ? (
        <Sent {...sending} onCancel={() => request.current?.abort()} />
      ) : (
        <label
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
          data-over={isOver || undefined}
          className="grid cursor-pointer justify-items-center gap-1 rounded-[8px] border border-dashed border-(--border-control) px-4 py-8 text-center hover:bg-(--hover) has-focus-visible:shadow-(--focus-ring) data-over:border-(--accent-line) data-over:bg-(--selected)"
        >
          <FileUp aria-hidden="true" size={20} strokeWidth={1.6} className="text-(--text-2)" />
          <span className="font-medium">Choose a file, or drop it here</span>
          <span className="text-[12px] text-(--text-2)">
            CSV, NDJSON or AWS CloudTrail, plain or as .gz, up to {formatBytes(maxBytes)}
          </span>
          <input
            type="file"
            aria-label="File to import"
            accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson,.gz"
            className="sr-only"
            onChange={(event) => {
              send(event.target.files?.[0]);
              // The same file may be chosen again after it was mended.
              event.target.value = "";
            }}
          />
        </label>
      )}
      {problem && (
        <p role="alert" className="mt-2 max-w-[98ch] text-(--in-failed)">
          {problem}
        </p>
      )}
    </section>
  );
}

function answerOf(sender: XMLHttpRequest): { id?: string; message?: string } {
  try {
    return JSON.parse(sender.responseText);
  } catch {
    return {};
  }
}

function Sent({ file, sent, startedMs, onCancel }: Sending & { onCancel(): void }) {
  const seconds = (performance.now() - startedMs) / 1_000;
  const rate = seconds > 0.5 ? sent / seconds : null;
  const isSent = sent >= file.size;
  return (
    <div className="rounded-[8px] border border-(--border-strong) p-4">
      <div className="flex flex-wrap items-center gap-3">
        <p className="min-w-0 flex-1 font-medium break-all">{file.name}</p>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
      <Progress label="Progress of the upload" value={sent} max={file.size} />
      <p role="status" className="sr-only">
        {isSent ? "Uploaded. Looking into the file." : `Uploading ${file.name}`}
      </p>
      <p className="mt-1.5 flex flex-wrap gap-x-4 text-[12px] text-(--text-2)">
        <span>
          {formatBytes(Math.min(sent, file.size))} of {formatBytes(file.size)}
        </span>
        {isSent ? (
          <span>Looking into the file…</span>
        ) : (
          rate !== null && (
            <>
              <span>{formatBytes(rate)} per second</span>
              <span>about {formatSpan((file.size - sent) / rate)} left</span>
            </>
          )
        )}
      </p>
    </div>
  );
}
