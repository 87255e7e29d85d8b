import Link from "next/link";
import { Changes } from "@/components/events/event-changes";
import { formatCount, formatMoment } from "@/components/integrity/words";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { compareSchemas } from "@/lib/schemas/diff";
import type { ActionSchema } from "@/lib/schemas/schema";
import { JsonBox } from "./json-box";
import { actionHref } from "./links";
import { schemaText, targetTypes } from "./words";

interface VersionsProps {
  organizationId: string;
  name: string;
  versions: (ActionSchema & { registeredBy: string | null })[];
  hasOlder: boolean;
  shown: number;
}

/** The versions of an action, newest first, each leading to its JSON. */
export function Versions({ organizationId, name, versions, hasOlder, shown }: VersionsProps) {
  const oldest = versions.at(-1)?.version;
  return (
    <nav aria-label="Versions" className="min-w-0">
      <ul>
        {versions.map((schema) => (
          <li
            key={schema.version}
            className="relative border-b border-(--border) py-2 px-2 has-[[aria-current]]:bg-(--selected)"
          >
            <Link
              href={actionHref(organizationId, { name, version: schema.version })}
              aria-current={schema.version === shown ? "true" : undefined}
              className="font-medium after:absolute after:inset-0 hover:underline focus-visible:outline-none focus-visible:after:shadow-(--focus-inset)"
            >
              Version {schema.version}
            </Link>
            <p className="truncate font-mono text-[12px] text-(--text-2)">{targetTypes(schema)}</p>
            <p className="text-[12px] text-(--text-2) tabular-nums">
              {formatMoment(schema.createdAt)}
              {schema.registeredBy && `, by ${schema.registeredBy}`}
            </p>
          </li>
        ))}
      </ul>
      {hasOlder && oldest !== undefined && (
        <Link
          href={actionHref(organizationId, { name, before: oldest })}
          className="mt-2 inline-block text-(--text-2) underline decoration-(--border-control) underline-offset-[3px]"
        >
          Older versions
        </Link>
      )}
    </nav>
  );
}

interface VersionProps {
  organizationId: string;
  name: string;
  newest: number;
  shown: ActionSchema;
  /** What it is held against; null for the only version. */
  against: ActionSchema | null;
}

/** One version: what is in it, and what another says otherwise. */
export function Version({ organizationId, name, newest, shown, against }: VersionProps) {
  return (
    <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] content-start gap-6">
      {against && (
        <section aria-label="Difference" className="min-w-0">
          <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
            <h2 className="mr-auto text-[14px] font-semibold tracking-[-0.012em]">
              {differenceSentence(shown, against)}
            </h2>
            <form
              action={`/o/${organizationId}/schemas/action`}
              className="flex items-center gap-2"
            >
              <input type="hidden" name="name" value={name} />
              <input type="hidden" name="version" value={shown.version} />
              <label htmlFor="against" className="text-[12px] text-(--text-2)">
                Against version
              </label>
              <Input
                id="against"
                name="against"
                type="number"
                required
                min={1}
                max={newest}
                defaultValue={against.version}
                className="!w-20"
              />
              <Button type="submit">Compare</Button>
            </form>
          </div>
          <div className="mt-3">
            <Changes changes={compareSchemas(against, shown)} />
          </div>
        </section>
      )}
      <JsonBox title={`Version ${shown.version}`} text={schemaText(shown)} />
    </div>
  );
}

function differenceSentence(shown: ActionSchema, against: ActionSchema): string {
  const count = compareSchemas(against, shown).length;
  const versions = `version ${against.version} to version ${shown.version}`;
  if (count === 0) return `From ${versions}, nothing changed`;
  return `From ${versions}, ${count === 1 ? "one element" : `${formatCount(count)} elements`} changed`;
}
