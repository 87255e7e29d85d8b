import { CopyButton } from "@/components/ui/copy-button";

/** Text to read or take along, which scrolls within itself. */
export function JsonBox(props: { title: string; text: string }) {
  return (
    <figure className="min-w-0">
      <figcaption className="flex items-center gap-2">
        <span className="mr-auto font-medium">{props.title}</span>
        <CopyButton text={props.text} label={`Copy: ${props.title}`}>
          Copy
        </CopyButton>
      </figcaption>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box has to be reachable by keyboard.
        tabIndex={0}
        className="mt-1.5 max-h-[420px] overflow-auto rounded-[5px] bg-(--sunken) p-3 font-mono text-[12px] leading-[18px]"
      >
        {props.text}
      </pre>
    </figure>
  );
}
