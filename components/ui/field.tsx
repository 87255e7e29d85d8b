import { type ComponentProps, type ReactNode, useId } from "react";
import { classes } from "./classes";

const CONTROL =
  "block h-8 w-full rounded-[5px] border border-(--border-control) bg-(--surface) px-2.5 text-(--text) aria-invalid:border-(--in-failed-line) disabled:opacity-60 max-sm:h-11 max-sm:text-[16px]";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input className={classes(CONTROL, className)} {...props} />;
}

export function Select({ className, ...props }: ComponentProps<"select">) {
  return <select className={classes(CONTROL, "pr-7", className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      className={classes(
        CONTROL,
        "h-auto min-h-20 py-1.5 font-mono text-[12px] max-sm:h-auto",
        className,
      )}
      {...props}
    />
  );
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | null;
  /** Gets the ids that tie label, hint and error to the control. */
  children(control: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean | undefined;
  }): ReactNode;
}

export function Field(props: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = props.error ?? props.hint;
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="font-medium">
        {props.label}
      </label>
      {props.children({
        id,
        "aria-describedby": note ? noteId : undefined,
        "aria-invalid": props.error ? true : undefined,
      })}
      {note && (
        <p
          id={noteId}
          role={props.error ? "alert" : undefined}
          className={props.error ? "text-[12px] text-(--in-failed)" : "text-[12px] text-(--text-3)"}
        >
          {note}
        </p>
      )}
    </div>
  );
}
