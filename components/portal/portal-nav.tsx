"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";

/** Where a link leads that opens more than one place. */
export function PortalNav({ places }: { places: { label: string; href: string }[] }) {
  const pathname = usePathname();
  return (
    <nav aria-label="Audit log" className="flex gap-3">
      {places.map(({ label, href }) => (
        <Link
          key={href}
          href={href}
          aria-current={pathname === href ? "page" : undefined}
          className="flex items-center text-(--text-2) aria-[current=page]:font-medium aria-[current=page]:text-(--text) max-sm:min-h-11"
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
