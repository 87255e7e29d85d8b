import { formatMoment } from "@/components/integrity/words";
import { CopyButton } from "@/components/ui/copy-button";
import { FactList } from "@/components/ui/fact-list";
import type { Provider } from "@/lib/sso/schema";

function stateOf({ isEnabled, domains, provenAt }: Provider): string {
  if (!isEnabled) return "off";
  if (domains.length === 0)
    return "on, but it speaks for no domain yet: nobody comes in through it";
  return provenAt
    ? `on, first used ${formatMoment(provenAt)}`
    : "on, nobody came in through it yet";
}

/** What everybody who sees the page needs of a provider. */
export function ProviderFacts({ provider }: { provider: Provider }) {
  const facts = {
    State: stateOf(provider),
    Domains:
      provider.domains.join(", ") ||
      "none: an administrator of the instance sets them, here or with trailseal sso domains",
    Issuer: provider.issuer || "not entered yet",
    "Redirect URI": (
      <span className="flex items-center gap-1">
        <code className="min-w-0 font-mono text-[12px] break-all" data-testid="redirect-uri">
          {provider.redirectUri}
        </code>
        <CopyButton text={provider.redirectUri} label="Copy the redirect URI" />
      </span>
    ),
  };
  return <FactList facts={facts} />;
}
