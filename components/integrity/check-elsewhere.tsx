import { buttonClasses } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";

/** Something to type, with a button that copies it. */
export function Command(props: { text: string; label: string }) {
  return (
    <div className="mt-2 flex items-center gap-2 rounded-[5px] bg-(--sunken) py-1 pr-1 pl-3 max-sm:py-0">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
        tabIndex={0}
        className="min-w-0 flex-1 overflow-auto font-mono text-[12px]"
      >
        {props.text}
      </pre>
      <CopyButton text={props.text} label={`Copy: ${props.label}`} />
    </div>
  );
}

/** How somebody checks the log who trusts neither this page nor its operator. `vkeys`: the present one first. */
export function CheckElsewhere(props: {
  organizationId: string;
  vkeys: string[];
  canExport: boolean;
}) {
  const { organizationId } = props;
  const [vkey, ...former] = props.vkeys;
  const keys = props.vkeys.map((key) => `--vkey '${key}'`).join(" ");
  return (
    <section className="mt-6">
      <h2 className="text-[14px] font-semibold tracking-[-0.012em]">Check it elsewhere</h2>
      <p className="mt-1 max-w-[98ch] text-(--text-2)">
        The file holds every event with its signed checkpoints. It is checked without this server,
        by whoever has the key: give it to them by another way than the file.
      </p>
      {props.canExport && (
        <p className="mt-2">
          <a href={`/o/${organizationId}/integrity/bundle`} className={buttonClasses({})}>
            Download the log
          </a>
        </p>
      )}
      <Command label="the key" text={vkey as string} />
      {former.length > 0 && (
        <details className="mt-2 text-(--text-2)">
          <summary className="cursor-pointer select-none max-sm:py-2">
            Keys and names that older checkpoints are signed with
          </summary>
          {former.map((key) => (
            <Command key={key} label="an older key" text={key} />
          ))}
        </details>
      )}
      <Command
        label="the check of the file"
        text={`npx trailseal verify --bundle log.ndjson ${keys}`}
      />
      <Command
        label="the check on the server's command line"
        text={`npx trailseal verify --org ${organizationId}`}
      />
    </section>
  );
}
