import Link from "next/link";
import { PageHeader } from "@/components/shell/page-header";
import type { Scope } from "@/lib/auth/scope";

const SECTIONS = [
  { id: "chain", label: "Chain", path: "", needs: "integrity:read" },
  { id: "drill", label: "Tamper drill", path: "/drill", needs: "integrity:verify" },
  { id: "streams", label: "SIEM export", path: "/streams", needs: "streams:read" },
] as const;

/** The sections of the integrity page: the chain, the test of its verifier, and its copy elsewhere. */
export function IntegritySections(props: {
  scope: Pick<Scope, "organizationId" | "permissions">;
  current: (typeof SECTIONS)[number]["id"];
}) {
  return (
    <>
      <PageHeader title="Integrity" isLabel />
      <nav
        aria-label="Integrity sections"
        className="flex shrink-0 gap-5 border-b border-(--border) px-8 max-sm:px-4"
      >
        {SECTIONS.filter(({ needs }) => props.scope.permissions.has(needs)).map((section) => (
          <Link
            key={section.id}
            href={`/o/${props.scope.organizationId}/integrity${section.path}`}
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
