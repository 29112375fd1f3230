SELECT	'日本語', 'é',	FROM t;
