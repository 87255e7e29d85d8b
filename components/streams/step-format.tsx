"use client";

import type { ActionResult } from "@/lib/http/action-result";
import type { DestinationForm } from "@/lib/streams/registry";
import type { FormatPreview } from "@/lib/streams/schema";
import { previewInputOf } from "./draft";
import { Choices } from "./field";
import { FilterField, isFilter } from "./filter-field";
import { Preview } from "./format-preview";
import type { Wizard } from "./use-wizard";

/** What each event looks like at the receiver, and which ones go there: tried on the newest events. */
export function StepFormat(props: {
  wizard: Wizard;
  form: DestinationForm;
  preview(input: object): Promise<ActionResult<FormatPreview>>;
}) {
  const { form } = props;
  const { draft, change, errors } = props.wizard;
  return (
    <div className="grid grid-cols-[minmax(0,520px)_minmax(0,1fr)] items-start gap-x-10 gap-y-6 max-xl:grid-cols-[minmax(0,680px)]">
      <div className="grid gap-5">
        <Choices
          legend="Format"
          name="format"
          value={draft.format}
          options={form.formats}
          error={errors.format}
          onChange={(format) => change({ format })}
        />
        <FilterField
          value={draft.filter}
          isRefused={errors.filter !== undefined}
          onChange={(filter) => change({ filter })}
        />
      </div>
      <Preview
        input={isFilter(draft.filter) ? previewInputOf(draft, form) : null}
        read={props.preview}
      />
    </div>
  );
}
