"""The organisations around the child: schools, associations, projects and what they are granted."""
