import type { Metadata } from "next";
import { PageHeader } from "@/components/shell/page-header";
import { DomainsForm } from "@/components/sso/domains-form";
import { NewProvider } from "@/components/sso/new-provider";
import { ProviderFacts } from "@/components/sso/provider-facts";
import { ProviderForm } from "@/components/sso/provider-form";
import { Requirement } from "@/components/sso/requirement";
import { currentInstanceScope, pageScope } from "@/lib/auth/server/require-scope";
import { readSingleSignOn } from "@/lib/sso/server/providers";
import {
  changeIdentityProviderAction,
  checkIssuerAction,
  createIdentityProviderAction,
  deleteIdentityProviderAction,
  requireSingleSignOnAction,
  setIdentityDomainsAction,
} from "./actions";

export const metadata: Metadata = { title: "Single sign-on" };

export default async function SingleSignOnPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/settings/sso", org);
  const { isRequired, providers } = await readSingleSignOn(scope);
  const isOwner = scope.permissions.has("owners:manage");
  const isAdministrator = (await currentInstanceScope("page:/instance")) !== null;
  return (
    <>
      <PageHeader title="Single sign-on" />
      <div className="min-h-0 flex-1 overflow-auto px-8 pt-6 pb-8 max-sm:p-4">
        <p className="max-w-[80ch] text-(--text-2)">
          Members sign in through your identity provider, by OpenID Connect, and can get their role
          from their groups there. Every change here becomes an event of the log.
          {!isOwner && " Only an owner changes it: whoever names the issuer could come in as one."}
        </p>
        <Requirement
          organizationId={org}
          isRequired={isRequired}
          isProven={providers.some(({ isEnabled, provenAt }) => isEnabled && provenAt !== null)}
          change={isOwner ? requireSingleSignOnAction : null}
        />
        {providers.map((provider) => (
          <section key={provider.id} className="mt-8 max-w-[640px]">
            <h2 className="mb-2 text-[14px] font-semibold tracking-[-0.012em]">{provider.name}</h2>
            <ProviderFacts provider={provider} />
            {isAdministrator && (
              <DomainsForm
                key={provider.domains.join()}
                organizationId={org}
                id={provider.id}
                domains={provider.domains}
                save={setIdentityDomainsAction}
              />
            )}
            {isOwner && (
              <ProviderForm
                organizationId={org}
                provider={provider}
                change={changeIdentityProviderAction}
                check={checkIssuerAction}
                remove={deleteIdentityProviderAction}
              />
            )}
          </section>
        ))}
        {isOwner && (
          <NewProvider
            organizationId={org}
            isFirst={providers.length === 0}
            create={createIdentityProviderAction}
          />
        )}
        {!isOwner && providers.length === 0 && (
          <p className="mt-6 text-(--text-3)">There is no identity provider yet.</p>
        )}
      </div>
    </>
  );
}
