import { redirect } from "next/navigation";
import { pageScope } from "@/lib/auth/server/require-scope";

export default async function OrganizationPage(props: { params: Promise<{ org: string }> }) {
  const { org } = await props.params;
  await pageScope("page:/o/[org]", org);
  redirect(`/o/${org}/events`);
}
