import type { Lane } from "@/lib/events/subject";

export const LANE_WORDS: Record<Lane, string> = { did: "Did", done: "Was done to" };
