/** What people see of their own account. */

export interface OpenSession {
  id: string;
  /** The one that asks. */
  isCurrent: boolean;
  clientAddress: string | null;
  /** A user agent in short words; null when it said none. */
  device: string | null;
  /** The identity provider that they came through; null: with a password. */
  provider: string | null;
  createdAt: string;
  lastSeenAt: string;
}

export interface SecondFactor {
  enabledAt: string;
  recoveryCodesLeft: number;
}

/** What an authenticator app is set up with; told once. */
export interface Enrolment {
  /** Base32, for who types it. */
  secret: string;
  /** `otpauth://totp/…` */
  uri: string;
  /** The same to be scanned: the dark modules as a path in a square of `size` modules. */
  qr: { size: number; path: string };
}
