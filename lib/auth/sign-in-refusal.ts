/**
 * Why a sign-in went no further, in the address that next-auth answers with:
 * - CredentialsSignin: wrong password, or no such user
 * - Throttled: too many attempts
 * - CodeNeeded: the password is right; the same again with a code signs in
 * - CodeWrong: the password is right, the code is not
 * By an identity provider:
 * - OAuthSignin: it could not be asked
 * - OAuthCallback: what came back from it does not hold
 * - SsoNoEmail, SsoUnverified, SsoDomain: it gave no address, one it says is not verified, or one it does not speak for
 * - SsoTaken: the address has an account that is somebody else's there
 * - SsoNoGroups: it left the groups out for their number
 * - SsoNoRole: no group of theirs has a role, and nobody made them a member
 * - SsoRemoved: somebody removed them from the organization
 * - SsoDeactivated: the operator turned their account off
 * - SsoChanged: it was changed or turned off meanwhile, or no longer knows them
 */
const signInRefusals = [
  "CredentialsSignin",
  "Throttled",
  "CodeNeeded",
  "CodeWrong",
  "OAuthSignin",
  "OAuthCallback",
  "SsoNoEmail",
  "SsoUnverified",
  "SsoDomain",
  "SsoTaken",
  "SsoNoGroups",
  "SsoNoRole",
  "SsoRemoved",
  "SsoDeactivated",
  "SsoChanged",
] as const;

export type SignInRefusal = (typeof signInRefusals)[number];
