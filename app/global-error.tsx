"use client";

export default function GlobalError(props: { error: Error & { digest?: string }; reset(): void }) {
  return (
    <html lang="en">
      <body
        style={{
          fontFamily: "system-ui",
          display: "grid",
          placeContent: "center",
          minHeight: "100vh",
          textAlign: "center",
        }}
      >
        <h1 style={{ fontSize: 22 }}>Trailseal could not answer</h1>
        <p>Request {props.error.digest ?? "unknown"}. Nothing was changed.</p>
        <p>
          <button type="button" onClick={props.reset}>
            Retry
          </button>
        </p>
      </body>
    </html>
  );
}
