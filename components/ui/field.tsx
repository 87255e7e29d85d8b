import { type ComponentProps, type ReactNode, useId } from "react";
import { classNames } from "./class-names";

export function Input({ className, ...props }: ComponentProps<"input">) {
  return <input className={classNames("control", className)} {...props} />;
}

/** For code: as many `rows` as it needs. */
export function TextArea({ className, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea
      className={classNames(
        "control h-auto resize-y py-1.5 font-mono leading-[18px] sm:text-[12px]",
        className,
      )}
      {...props}
    />
  );
}

export function Select({ className, ...props }: ComponentProps<"select">) {
  return <select className={classNames("control pr-7", className)} {...props} />;
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
    <div className="grid min-w-0 grid-cols-1 content-start gap-1">
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
