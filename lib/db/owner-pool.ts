import pg from "pg";

/** A pool of the owner's, who may take the roles that events can be changed with. Ended by the caller. */
export async function ownerPool(): Promise<pg.Pool> {
  const url = process.env.DATABASE_OWNER_URL;
  if (!url) throw new Error("DATABASE_OWNER_URL is not set");
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  for (const role of ["trailseal_eraser", "trailseal_retention"]) {
    const { rows } = await pool.query("SELECT pg_has_role(current_user, $1, 'MEMBER') AS member", [
      role,
    ]);
    if (!rows[0]?.member) await pool.query(`GRANT ${role} TO CURRENT_USER`);
  }
  return pool;
}
