import Link from "next/link";
import { PageHeader } from "@/components/shell/page-header";

const SECTIONS = [
  { id: "chain", label: "Chain", path: "" },
  { id: "drill", label: "Tamper drill", path: "/drill" },
  { id: "streams", label: "SIEM export", path: "/streams" },
] as const;

/** The sections of the integrity page: the chain, the test of its verifier, and its copy elsewhere. */
export function IntegritySections(props: {
  organizationId: string;
  current: (typeof SECTIONS)[number]["id"];
}) {
  return (
    <>
      <PageHeader title="Integrity" isLabel />
      <nav
        aria-label="Integrity sections"
        className="flex shrink-0 gap-5 border-b border-(--border) px-8 max-sm:px-4"
      >
        {SECTIONS.map((section) => (
          <Link
            key={section.id}
            href={`/o/${props.organizationId}/integrity${section.path}`}
            aria-current={section.id === props.current ? "page" : undefined}
            className="-mb-px flex h-9 items-center border-b-2 border-transparent text-(--text-2) hover:text-(--text) aria-[current]:border-(--text) aria-[current]:font-medium aria-[current]:text-(--text) max-sm:h-11"
          >
            {section.label}
          </Link>
        ))}
      </nav>
    </>
  );
}
