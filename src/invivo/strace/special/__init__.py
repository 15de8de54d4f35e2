"""What calls mean that their prototypes do not tell, by topic; overrides.py says where each is used."""
