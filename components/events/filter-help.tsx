"use client";

import { Dialog } from "@/components/ui/dialog";
import { fields, isKeyed, type Operator, operatorsOf } from "@/lib/events/fields";

const WORDS: Record<Operator, string> = {
  is: "is",
  starts_with: "starts with",
  ends_with: "ends with",
  contains: "contains",
  in_network: "network",
  compare: "compares",
  has: "has",
};

const EXAMPLES: [text: string, meaning: string][] = [
  ["action:user.*", "starts with; *word ends with, *word* contains"],
  ["-actor:usr_7", "everything but this actor"],
  ["-action:trailseal.*", "without what the log records of itself"],
  ["action:(a OR b)", "either value of one field"],
  ["has:ip  -has:ip", "is present, is absent"],
  ["ip:10.0.0.0/8", "addresses in a network"],
  ["metadata.amount:>=100", "numbers: > >= < <= and 5..10"],
  ['metadata.note:"two words"', "quote what holds spaces"],
  ['target:="*"', "= takes stars as they are"],
  ["any text", "in action, names and ids of actor and targets"],
];

/** The filter language on one page, from the registry. */
export function FilterHelp(props: { onClose(): void }) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && props.onClose()}
      title="Filter language"
      description="Conditions are joined by AND."
    >
      <div className="grid gap-4 text-[12px]">
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
          {EXAMPLES.map(([text, meaning]) => (
            <div key={text} className="contents">
              <dt className="font-mono whitespace-pre">{text}</dt>
              <dd className="text-(--text-2)">{meaning}</dd>
            </div>
          ))}
        </dl>
        <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 border-t border-(--border) pt-3">
          {fields.map((field) => (
            <div key={field.id} className="contents">
              <dt className="font-mono">
                {field.id}
                {isKeyed(field) && ".key"}
                {field.aliases.map((alias) => `, ${alias}`)}
              </dt>
              <dd className="text-(--text-2)">
                {operatorsOf(field)
                  .map((operator) => WORDS[operator])
                  .join(", ")}
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Dialog>
  );
}
