import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The pages ask Prometheus by way of this server, so that the browser meets one origin.
const proxy = { '/api/v1': process.env.PROMETHEUS ?? 'http://127.0.0.1:9090' };

export default defineConfig({
  plugins: [react()],
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  build: { chunkSizeWarningLimit: 20000 },
  preview: { host: '127.0.0.1', proxy },
  server: { fs: { allow: ['..'] }, proxy },
});
