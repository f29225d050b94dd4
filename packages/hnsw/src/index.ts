export { HierarchicalNSW, type HierarchicalNsw, hnswBuild } from './addon.ts';
