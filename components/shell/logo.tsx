/** The seal on its trail. */
export function Logo(props: { className?: string }) {
  return (
    <svg
      viewBox="0 0 28 24"
      aria-hidden="true"
      className={`text-(--accent) ${props.className ?? "h-5 w-6"}`}
    >
      <path d="M0 14.500h5M23 9.500h5" stroke="currentColor" strokeWidth="2" />
      <path
        d="M14 2.500l2.300 1.700 2.800-.4 1.100 2.600 2.600 1.100-.4 2.800 1.700 1.700-1.700 2.300.4 2.800-2.600 1.100-1.100 2.600-2.800-.4-2.300 1.700-2.300-1.700-2.800.4-1.100-2.600-2.600-1.100.4-2.800L3.900 12l1.700-2.300-.4-2.800 2.600-1.100 1.100-2.600 2.800.4z"
        fill="currentColor"
      />
      <path
        d="M9.500 12.400l3.200 3.200 5.800-6.200"
        fill="none"
        stroke="var(--surface)"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
