import { statfs } from "node:fs/promises";

/** What stays free beside files of imports: the database and other files live on the same disk. */
export const SPARE_BYTES = 268_435_456;

/** Whether a directory's disk takes so many bytes more and keeps the spare ones. */
export async function hasRoom(
  directory: string,
  bytes: number,
  spareBytes = SPARE_BYTES,
): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize >= bytes + spareBytes;
}
