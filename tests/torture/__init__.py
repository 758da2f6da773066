"""The long form of what must hold under attack: threads, forks, interrupts, traps, spoilt caches, leaks."""
