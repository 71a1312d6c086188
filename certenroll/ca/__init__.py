"""How a request reaches a certification authority. No COM."""
