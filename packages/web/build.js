// Builds the page into dist/. `npm ci --omit=dev` comes here too (npm runs `prepare` then as well), where there is no
// Vite: that must not fail the installation, as the API and the command work without the page.
let vite;
try {
  vite = await import('vite');
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.warn(
    'The web page is not built: that takes Vite, a development dependency (npm ci without --omit=dev).',
  );
  process.exit(0);
}
await vite.build({ root: import.meta.dirname, logLevel: 'warn' });
