import { PageHeader } from "@/components/shell/page-header";

const ROWS = Array.from({ length: 18 }, (_, row) => row);

export default function Loading() {
  return (
    <>
      <PageHeader title="Timeline" />
      <div
        role="status"
        aria-label="Loading the timeline"
        className="grid min-h-0 flex-1 content-start gap-2 overflow-hidden px-8 pt-15 max-sm:px-4"
      >
        <span className="h-9 w-80 max-w-full rounded-[5px] bg-(--sunken)" />
        <span className="mb-4 h-24 rounded-[5px] bg-(--sunken)" />
        {ROWS.map((row) => (
          <span key={row} className="my-2 h-2 rounded-full bg-(--sunken)" />
        ))}
      </div>
    </>
  );
}
