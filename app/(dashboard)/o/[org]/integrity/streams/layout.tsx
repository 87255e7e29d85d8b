import type { ReactNode } from "react";
import { IntegritySections } from "@/components/integrity/sections";
import { pageScope } from "@/lib/auth/server/require-scope";

/** Within the integrity page; by itself for somebody who came through the portal. */
export default async function StreamsLayout(props: {
  children: ReactNode;
  params: Promise<{ org: string }>;
}) {
  const { org } = await props.params;
  const scope = await pageScope("page:/o/[org]/integrity/streams", org);
  return (
    <>
      {scope.permissions.has("integrity:read") && (
        <IntegritySections scope={scope} current="streams" />
      )}
      {props.children}
    </>
  );
}
