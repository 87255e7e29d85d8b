import { redirect } from "next/navigation";
import { currentUser } from "@/lib/auth/server/require-scope";
import { listOrganizationsOf } from "@/lib/orgs/server/organizations";

/** Straight to work: the only organization, the list, or signing in. */
export default async function HomePage() {
  const user = await currentUser();
  if (!user) redirect("/sign-in");
  const [first, ...others] = await listOrganizationsOf(user);
  redirect(first && others.length === 0 ? first.home : "/o");
}
