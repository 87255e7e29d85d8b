import { Button } from "@/components/ui/button";

/** One part of the page failed; the others stand. */
export function PartFailed(props: {
  what: string;
  message: string;
  requestId: string;
  onRetry(): void;
}) {
  return (
    <p role="alert" className="flex flex-wrap items-center gap-2 py-2 text-(--in-fetch)">
      Could not load {props.what}. {props.message}{" "}
      {props.requestId && `Request ${props.requestId}.`}
      <Button onClick={props.onRetry}>Retry</Button>
    </p>
  );
}
