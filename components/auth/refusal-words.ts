import type { SignInRefusal } from "@/lib/auth/sign-in-refusal";

const WORDS: Record<SignInRefusal, string> = {
  CredentialsSignin: "The e-mail or the password is wrong.",
  Throttled: "Too many attempts. Wait a few minutes, then try again.",
  CodeNeeded: "Enter the code as well.",
  CodeWrong: "This code is wrong, or was used already. Wait for the next one.",
  OAuthSignin:
    "The identity provider could not be asked. Try again; the server’s log says what is wrong.",
  OAuthCallback:
    "What the identity provider answered does not hold. Try again; the server’s log says why.",
  SsoNoEmail: "The identity provider gave no e-mail address.",
  SsoUnverified: "The identity provider says that your e-mail address is not verified.",
  SsoDomain: "The identity provider does not speak for the domain of your e-mail address.",
  SsoTaken:
    "Your address belongs to another person at the identity provider. Ask the operator of this server.",
  SsoNoGroups:
    "You are in more groups than the identity provider tells. Ask its administrator to tell only those of this application.",
  SsoNoRole: "You have no access. Ask an owner of your organization, or for one of its groups.",
  SsoRemoved: "You were removed from the organization. Ask one of its owners to restore you.",
  SsoDeactivated: "Your account is deactivated. Ask the operator of this server.",
  SsoChanged: "Single sign-on was changed meanwhile. Sign in again.",
};

/** Why a sign-in went no further. @param otherwise for what has no words of its own */
export const refusalWords = (refusal: string, otherwise: string): string =>
  WORDS[refusal as SignInRefusal] ?? otherwise;

/** Of the way through a provider. */
export const INTERRUPTED = "Signing in was interrupted. Try again.";
