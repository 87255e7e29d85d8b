/** What is about no single field. */
export function FormError({ message }: { message?: string }) {
  return (
    message && (
      <p role="alert" className="text-(--in-failed)">
        {message}
      </p>
    )
  );
}
