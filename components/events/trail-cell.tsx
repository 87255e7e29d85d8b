import { TrailMark, type TrailState } from "./trail-mark";

/** The first cell of a row: its place on the trail, or a box to choose it where the mouse or a choice is. */
export function TrailCell(props: {
  seq: number;
  state: TrailState;
  isFirst: boolean;
  isLast: boolean;
  isSelected: boolean;
  /** Some row is chosen: every row shows its box. */
  isSelecting: boolean;
  /** `isRange`: all from the one chosen last. */
  onSelect: ((isRange: boolean) => void) | null;
}) {
  const { onSelect } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a virtual grid is no table element.
    // biome-ignore lint/a11y/useFocusableInteractive: the grid holds the one tab stop.
    <span role="gridcell" className="sticky left-0 z-[1] h-full bg-inherit">
      <TrailMark state={props.state} isFirst={props.isFirst} isLast={props.isLast} />
      {onSelect && (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={`Select event #${props.seq}`}
          checked={props.isSelected}
          onClick={(click) => {
            click.stopPropagation();
            onSelect(click.shiftKey);
          }}
          onChange={() => {}}
          className={`absolute top-1/2 left-1/2 size-3.5 -translate-1/2 bg-(--surface) accent-(--accent) ${props.isSelecting ? "" : "opacity-0 group-hover/row:opacity-100"}`}
        />
      )}
    </span>
  );
}
