from aerostic.operations.commands import main

main()
