"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef } from "react";
import { buttonClasses } from "./button";

interface Props {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  description?: string;
  children: ReactNode;
}

/** Dialogs here open by state: there is no trigger for Radix to give the focus back to. */
export function useFocusReturn() {
  const opener = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: () => {
      opener.current ??= document.activeElement;
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
      opener.current = null;
    },
  };
}

const FIELD = "input:not([type=checkbox],[type=radio]), select, textarea";

function focusField(event: Event) {
  const field = (event.currentTarget as Element).querySelector<HTMLElement>(FIELD);
  if (field) event.preventDefault();
  field?.focus();
}

/** A modal question in the middle of the page. */
export function Dialog(props: Props) {
  const focusReturn = useFocusReturn();
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-(--scrim)" />
        <Radix.Content
          {...focusReturn}
          onOpenAutoFocus={(event) => {
            focusReturn.onOpenAutoFocus();
            // Who is asked for something begins there, not at the cross.
            focusField(event);
          }}
          className="fixed top-1/2 left-1/2 z-50 grid max-h-[90dvh] w-[min(480px,calc(100vw-32px))] -translate-x-1/2 -translate-y-1/2 gap-4 overflow-auto rounded-[8px] bg-(--raised) p-5 shadow-(--shadow-menu)"
        >
          <div className="flex items-start gap-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-[16px] leading-6 font-semibold">
                {props.title}
              </Radix.Title>
              {props.description && (
                <Radix.Description className="mt-1 text-(--text-2)">
                  {props.description}
                </Radix.Description>
              )}
            </div>
            <Radix.Close
              className={buttonClasses({ variant: "quiet", icon: true })}
              aria-label="Close"
            >
              <X size={16} aria-hidden="true" />
            </Radix.Close>
          </div>
          {props.children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const SIDES = {
  left: "inset-y-0 left-0 w-[264px]",
  right: "inset-y-0 right-0 w-[min(456px,100vw)] max-sm:w-screen",
  bottom: "inset-x-0 bottom-0 max-h-[85dvh] rounded-t-[12px]",
};

/**
 * A panel from the side (navigation), over the whole small screen (details) or from below (filters).
 * @param props.typing begins in the first field: not for a tap, which would bring up a keyboard on the screen
 */
export function Sheet(props: Props & { side: keyof typeof SIDES; typing?: boolean }) {
  const focusReturn = useFocusReturn();
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-(--scrim)" />
        <Radix.Content
          {...focusReturn}
          onOpenAutoFocus={(event) => {
            focusReturn.onOpenAutoFocus();
            if (props.typing) focusField(event);
          }}
          aria-describedby={undefined}
          className={`fixed z-50 flex flex-col bg-(--surface) shadow-(--shadow-menu) ${SIDES[props.side]}`}
        >
          <Radix.Title className="sr-only">{props.title}</Radix.Title>
          {props.children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
