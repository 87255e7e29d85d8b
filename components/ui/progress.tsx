/** How far something is; without a `max`, that it goes on. */
export function Progress(props: { label: string; value?: number; max?: number }) {
  return (
    <progress
      className="mt-3 block h-1.5 w-full overflow-hidden rounded-full [&::-moz-progress-bar]:bg-(--accent-line) [&::-webkit-progress-bar]:bg-(--sunken) [&::-webkit-progress-value]:bg-(--accent-line)"
      aria-label={props.label}
      max={props.max}
      value={props.value}
    />
  );
}
