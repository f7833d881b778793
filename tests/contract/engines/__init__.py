"""What every engine must do, whatever model it runs: shapes and promises, never words.

To add an engine: write a case in `cases.py` and name it in `CASES`.
"""
