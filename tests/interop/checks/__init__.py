"""What other people's implementations say about exported documents."""
