// Svelte 5 reads erasable TypeScript itself; runes everywhere.
export default { compilerOptions: { runes: true } }
