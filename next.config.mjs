/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  // SDK clients call exact paths; a redirect on a trailing slash would drop their POST body.
  skipTrailingSlashRedirect: true,
  serverExternalPackages: ["pg", "pg-copy-streams", "pino", "undici"],
  typescript: { tsconfigPath: "tsconfig.json" },
};
