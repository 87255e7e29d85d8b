import { getEnv } from "@/lib/env";

/** How strict the doors are through which clients send events. */
export function endpointLimits() {
  const env = getEnv();
  return {
    requireContext: env.TRAILSEAL_REQUIRE_CONTEXT,
    metadata: {
      maxKeys: env.TRAILSEAL_METADATA_MAX_KEYS,
      maxKeyLength: env.TRAILSEAL_METADATA_MAX_KEY_LENGTH,
      maxValueLength: env.TRAILSEAL_METADATA_MAX_VALUE_LENGTH,
    },
  };
}
