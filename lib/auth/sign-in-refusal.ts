/**
 * Why a sign-in went no further, in the address that next-auth answers with:
 * - CredentialsSignin: wrong password, or no such user
 * - Throttled: too many attempts
 * - CodeNeeded: the password is right; the same again with a code signs in
 * - CodeWrong: the password is right, the code is not
 */
export const signInRefusals = [
  "CredentialsSignin",
  "Throttled",
  "CodeNeeded",
  "CodeWrong",
] as const;

export type SignInRefusal = (typeof signInRefusals)[number];
