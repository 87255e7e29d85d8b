import { PageHeader } from "@/components/shell/page-header";

const ROWS = Array.from({ length: 24 }, (_, row) => row);

export default function Loading() {
  return (
    <>
      <PageHeader title="Events" />
      <div
        role="status"
        aria-label="Loading events"
        className="min-h-0 flex-1 overflow-hidden pt-11"
      >
        {ROWS.map((row) => (
          <div key={row} className="flex h-7 items-center gap-4 border-b border-(--border) px-4">
            <span className="h-2 w-40 rounded-full bg-(--sunken)" />
            <span className="h-2 flex-1 rounded-full bg-(--sunken)" />
          </div>
        ))}
      </div>
    </>
  );
}
