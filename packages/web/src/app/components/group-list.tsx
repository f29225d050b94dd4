import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Choices, keepOnly, keptOf, toggleKept } from '../duplicate-choices.ts';
import { formatCount } from '../number-format.ts';
import type { DuplicateGroup } from '../server.ts';
import { visibleRows } from '../windowing.ts';
import { GroupRow } from './group-row.tsx';

/** Pixels; one height for every group keeps the scrollbar exact. The stylesheet has the same number. */
const rowHeight = 280;

interface Props {
  collection: string;
  groups: readonly DuplicateGroup[];
  choices: Choices;
  onChoose: (choices: Choices) => void;
}

/**
 * All groups, of which only those near the viewport are in the document. One tab stop: arrows move between pictures
 * and groups, Space keeps or drops, Enter keeps only this one.
 */
export function GroupList(props: Props) {
  const { collection, groups, choices, onChoose } = props;
  const list = useRef<HTMLOListElement>(null);
  const shown = useVisible(list, groups.length);
  const [active, setActive] = useState({ group: 0, item: 0 });
  const [refused, setRefused] = useState('');
  const moved = useRef(false);
  // Ahead of what is rendered while a key repeats faster than that.
  const position = useRef(active);

  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    const element = list.current?.querySelector<HTMLElement>(
      `[data-group="${active.group}"] [data-item="${active.item}"]`,
    );
    element?.focus({ preventScroll: true });
    element?.closest('li')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active]);

  const move = (group: number, item: number) => {
    const target = Math.min(groups.length - 1, Math.max(0, group));
    const count = groups[target]?.items.length ?? 1;
    moved.current = true;
    position.current = { group: target, item: Math.min(count - 1, Math.max(0, item)) };
    setActive(position.current);
    scrollToRow(list.current, target);
  };

  const choose = (next: Choices) => {
    setRefused(next === choices ? 'At least one picture of a group is kept.' : '');
    if (next !== choices) onChoose(next);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const { group, item } = position.current;
    const moves: Record<string, [number, number]> = {
      ArrowRight: [group, item + 1],
      ArrowLeft: [group, item - 1],
      ArrowDown: [group + 1, 0],
      ArrowUp: [group - 1, 0],
      PageDown: [group + 5, 0],
      PageUp: [group - 5, 0],
      Home: [0, 0],
      End: [groups.length - 1, 0],
    };
    const target = moves[event.key];
    if (target) {
      event.preventDefault();
      move(...target);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const chosen = groups[group];
      const id = chosen?.items[item]?.id;
      if (chosen && id !== undefined) choose(keepOnly(choices, chosen, id));
    }
  };

  // The row that has the focus stays in the document wherever the page is scrolled to.
  const rows = new Set<number>();
  for (let row = shown.start; row < shown.end; row++) rows.add(row);
  if (active.group < groups.length) rows.add(active.group);

  return (
    <>
      <p class="visually-hidden" role="status">
        {refused}
      </p>
      <ol
        ref={list}
        class="groups"
        aria-label={`${formatCount(groups.length)} groups`}
        style={{ height: `${groups.length * rowHeight}px` }}
      >
        {[...rows]
          .sort((a, b) => a - b)
          .map((row) => {
            const group = groups[row];
            if (!group) return null;
            return (
              <GroupRow
                key={group.keep}
                collection={collection}
                group={group}
                number={row}
                count={groups.length}
                top={row * rowHeight}
                kept={keptOf(group, choices)}
                activeItem={row === active.group ? active.item : undefined}
                onFocusItem={(item) => {
                  if (moved.current || (active.group === row && active.item === item)) return;
                  position.current = { group: row, item };
                  setActive(position.current);
                }}
                onToggle={(id) => choose(toggleKept(choices, group, id))}
                onKeyDown={onKeyDown}
              />
            );
          })}
      </ol>
    </>
  );
}

function scrollToRow(list: HTMLElement | null, row: number): void {
  if (!list) return;
  const top = list.getBoundingClientRect().top + row * rowHeight;
  const header = document.querySelector('.header')?.getBoundingClientRect().bottom ?? 0;
  const below = top + rowHeight - document.documentElement.clientHeight;
  if (top < header) scrollBy({ top: top - header - 8 });
  else if (below > 0) scrollBy({ top: below + 8 });
}

/** Follows the window's scrolling and size; renders again only when other rows come into sight. */
function useVisible(list: { current: HTMLElement | null }, count: number) {
  const [shown, setShown] = useState({ start: 0, end: Math.min(count, 6) });
  useEffect(() => {
    const measure = () => {
      if (!list.current) return;
      const next = visibleRows({
        count,
        rowHeight,
        offset: -list.current.getBoundingClientRect().top,
        viewport: innerHeight,
        overscan: 3,
      });
      setShown((last) => (last.start === next.start && last.end === next.end ? last : next));
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [list, count]);
  return shown;
}
