import { useColorScheme } from '@mui/material/styles';
import { useEffect } from 'react';
import { dark, light } from './palette';

/** Gives the browser's own bar the colour of the page. */
export function useBrowserColor(): void {
  const { colorScheme } = useColorScheme();
  useEffect(() => {
    document.querySelector('meta[name="theme-color"]')?.setAttribute('content', (colorScheme === 'dark' ? dark : light).surface);
  }, [colorScheme]);
}
