import Link from "next/link";
import { Logo } from "@/components/shell/logo";

/** On top of the pages of administrators of the instance, with the ways to the others. */
export function InstanceHeader(props: { title: string; other: { label: string; href: string } }) {
  return (
    <header className="flex items-center gap-2">
      <Logo />
      <span className="font-medium">{props.title}</span>
      <nav aria-label="Instance" className="ml-auto flex gap-4">
        {[props.other, { label: "Organizations", href: "/o" }].map(({ label, href }) => (
          <Link
            key={href}
            href={href}
            className="text-(--text-2) underline decoration-(--border-control) underline-offset-3 max-sm:py-3"
          >
            {label}
          </Link>
        ))}
      </nav>
    </header>
  );
}
